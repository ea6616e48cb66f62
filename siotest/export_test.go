package siotest

import "time"

// SetPatience changes how long a server's Wait waits.
func SetPatience(s *Server, d time.Duration) { s.patience = d }

// SetClientPatience changes how long a client waits from now on.
func SetClientPatience(c *Client, d time.Duration) { c.link.patience = d }

// SetConnPatience changes how long a connection waits from now on.
func SetConnPatience(c *Conn, d time.Duration) { c.options.patience = d }
