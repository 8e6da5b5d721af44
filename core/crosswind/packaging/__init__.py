"""Artifacts: what is uploaded to a cloud to run an app there, built the same way for each of them.

The stages, in the order in which `build` runs them. None of them writes into the project.

    project        the folder that is packaged: its rules, its source roots
    requirements   what the project asks for, and where it says so
    resolution     the wheels that the target's interpreter would install     (uv; the index)
    wheels         unpacked, stripped and compressed once for each wheel      (the user's cache)
    ours           crosswind itself, as it is installed here
    collection     the app's own modules and data
    leaks          nothing in these looks like a secret
    closure        which modules can be reached; what is known to prune is pruned
    bytecode       compiled by the target's own interpreter, where it is wanted
    archive        one zip, the same bytes wherever it is made
    smoke          the app is imported from it by the target's interpreter
    sbom           what is in it, as CycloneDX

A stage does not stop at its first fault: `Faults` collects them, and `PackagingFailed` names all.
What is true of one cloud only stands in a `Platform`, which its adapter exports.

Downsides: the app is imported on the machine that packages it; bytecode and the smoke import need
an interpreter of the target's version there; the same bytes come out only of the same zlib.
"""
