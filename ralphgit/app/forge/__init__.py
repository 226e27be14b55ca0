"""Open pull requests and ask how they are: the forges' programs and REST APIs, one contract."""
