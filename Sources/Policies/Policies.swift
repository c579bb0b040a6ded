// The room Policies.
