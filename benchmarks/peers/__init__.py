"""Programs that train a row of the course with other libraries, each in an environment that has them."""
