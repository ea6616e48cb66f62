package loop

// group is a number of writes to one connection that are judged as one.
type group struct {
	conn   *Conn
	before int // bytes queued before the first of them that have not left yet
}

// BeginGroup begins a number of writes that belong together: up to [Conn.EndGroup] they
// may pass the byte budget like a single one, if nothing waits that was queued before
// them. No other connection may be written to meanwhile. On the loop.
func (c *Conn) BeginGroup() {
	c.loop.group = group{conn: c}
	if c.out != nil {
		c.loop.group.before = c.out.bytes
	}
}

// EndGroup ends what BeginGroup began.
func (c *Conn) EndGroup() { c.loop.group = group{} }

// waiting returns how many bytes are in the way of a write that is over the byte
// budget. had is what was queued before the last flush.
func (c *Conn) waiting(had int) int {
	n := c.out.bytes
	if g := &c.loop.group; g.conn == c {
		g.before = max(g.before-(had-n), 0)
		n = g.before
	}
	if n <= socketSlack && c.port() != nil {
		return 0 // the goroutine that writes is at what came before
	}
	return n
}
