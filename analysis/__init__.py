"""What a run says afterwards: inactive variables, the variance law, the aggregate posterior."""
