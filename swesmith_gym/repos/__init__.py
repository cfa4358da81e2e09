"""Repositories: where code comes from, how it is installed and tested, and the built environments of this host.

    add.add(source)       -> a profile, detected
    build.build(profile)  -> an image, with its baseline
    images.spec(image)    -> how a sandbox of it starts

Not here: what a language's files mean (languages), how tests are run (harness), how a sandbox holds (sandboxes).
"""
