"""Updates over the air: fetch, verify, switch, try, keep or take back."""
