"""What each input adds to one answer: exactly for trees and linear models, by sampled permutations for others."""
