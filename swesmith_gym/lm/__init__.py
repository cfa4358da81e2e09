"""Language models behind one contract (`base`): any OpenAI-compatible endpoint, and a scripted one for tests."""
