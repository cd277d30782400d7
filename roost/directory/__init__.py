"""What is provisioned: organizations, extensions, phones, nodes; their fields, changes and imports."""
