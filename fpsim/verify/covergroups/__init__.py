"""What each unit's bench is to bring about, one class per unit."""
