"""AMI and AstDB: what every kind of PBX that is an Asterisk inside may build on. No kind by itself."""
