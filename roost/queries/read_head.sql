SELECT lineage, version FROM read_head()
