"""The loss of known answers by grammar role: of a base model, and of a checkpoint against it. Imports no torch."""
