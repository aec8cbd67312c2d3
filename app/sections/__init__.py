"""The parts of pages that have several, by page; each module shows one."""
