"""`make stack`: the closed loop with real programs, a storm, lone criticals; who is paged."""
