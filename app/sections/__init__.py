"""The sections of the pages that have several, by page; each module shows one."""
