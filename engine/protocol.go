package engine

import (
	"strconv"

	"github.com/sio-gnet/sio-gnet/loop"
)

// protocol is a revision of Engine.IO: 3 or 4.
type protocol uint8

const (
	protocol3 protocol = 3
	protocol4 protocol = 4
)

func (p protocol) String() string { return strconv.Itoa(int(p)) }

// protocol returns the revision that a request speaks, 0 if that is not spoken
// here. Whatever does not say "4" is 3, which did not have to be named.
func (s *Server) protocol(r *loop.Request) protocol {
	switch {
	case string(r.QueryValue("EIO")) == "4":
		return protocol4
	case s.opts.AllowEIO3:
		return protocol3
	}
	return 0
}
