"""What is served while it is measured. These modules run in the project's own environment."""
