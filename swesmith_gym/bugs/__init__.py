"""Bug strategies: where candidates come from. `generate` is the door; whether one breaks a test is judged elsewhere."""
