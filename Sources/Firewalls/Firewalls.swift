// The room Firewalls.
