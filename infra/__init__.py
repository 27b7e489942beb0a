"""The CDK app. It deploys to AWS and, unchanged, to the local emulator."""
