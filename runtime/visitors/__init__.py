"""Who may open the owner's page: password, paired phones, sessions, and what stands before every request."""
