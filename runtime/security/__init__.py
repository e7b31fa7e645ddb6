"""Who may speak on a broker: certificates, roles, the broker's configuration, pairing."""
