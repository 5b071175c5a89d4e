"""Foreign rows -> dataset rows: what a mapping file says about where request, schema and answer stand, and how."""
