// Command gnet is the limit for servers on gnet: one event loop that writes each
// answer as it comes, and does nothing else. It takes its port from the command line.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/panjf2000/gnet/v2"

	"github.com/sio-gnet/sio-gnet/bench/limit/wire"
)

func main() {
	port := freePort()
	if len(os.Args) > 1 && os.Args[1] != "0" {
		var err error
		if port, err = strconv.Atoi(os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}
	s := &server{port: port, conns: make(map[gnet.Conn]struct{})}
	log.Fatal(gnet.Run(s, fmt.Sprintf("tcp://127.0.0.1:%d", port), gnet.WithMulticore(false), gnet.WithTCPNoDelay(gnet.TCPNoDelay)))
}

func freePort() int {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

type server struct {
	gnet.BuiltinEventEngine
	port  int
	conns map[gnet.Conn]struct{}
	out   wire.Output
}

func (s *server) OnBoot(gnet.Engine) gnet.Action {
	fmt.Println(wire.Listening(s.port))
	return gnet.None
}

func (s *server) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(new(wire.Conn))
	s.conns[c] = struct{}{}
	return nil, gnet.None
}

func (s *server) OnClose(c gnet.Conn, _ error) gnet.Action {
	delete(s.conns, c)
	return gnet.None
}

func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	s.out.Reply, s.out.Broadcast = s.out.Reply[:0], s.out.Broadcast[:0]
	c.Context().(*wire.Conn).Feed(in, &s.out)
	if len(s.out.Reply) > 0 {
		if _, err := c.Write(s.out.Reply); err != nil {
			return gnet.Close
		}
	}
	if len(s.out.Broadcast) > 0 {
		for other := range s.conns {
			_, _ = other.Write(s.out.Broadcast) // one that fails is closed by gnet
		}
	}
	return gnet.None
}
