"""The pages. Each route reads what to show, asks the table of rules, calls the core, and renders a template."""
