"""Queue messages: what each one holds, and how many documents fit into one."""
