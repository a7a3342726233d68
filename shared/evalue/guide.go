package evalue

// guide moves money between bets by how well each explains the number of
// events in both versions together, given what the old version did before. The
// new version's part is not known yet, so no money is made or lost.
func (c *capital) guide(_ Base, _ Counts) {}
