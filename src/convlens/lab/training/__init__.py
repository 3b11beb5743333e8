"""Training from the page: compose a network, train it in a process of its own, watch it, stop it, take it up again.

Reading order: `composition` (what a list of layers comes to) -> `configuration` (one training, as data) -> `journal`
(what happened, a line each) -> `session` (its folder) -> `extension` (training on) -> `reporter` (the hook that writes
the journal) -> `worker` (the process) -> `sessions` (all trainings of a folder) -> `pictures` -> `confusion` ->
`choices` -> `events` -> `routes`.
"""
