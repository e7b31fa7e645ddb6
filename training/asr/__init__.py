"""Speech recognition: acoustic model, lexicon, decoder weights."""
