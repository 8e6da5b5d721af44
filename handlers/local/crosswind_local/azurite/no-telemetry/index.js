// Azurite loads this whether or not it may report; loading the real one takes most of its start.
