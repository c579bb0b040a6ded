// The room Checks.
