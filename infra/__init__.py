"""The CDK app: what runs on AWS and, unchanged, on the emulator."""
