// The room Sysctl.
