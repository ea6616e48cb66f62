// Command guest has Socket.IO beside other routes of a net/http server, with TLS and
// HTTP/2 if it is given a certificate, and ends both in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

func main() {
	addr, certificate := "localhost:3000", []string(nil)
	if len(os.Args) > 1 {
		addr, certificate = os.Args[1], os.Args[2:]
	}
	if err := run(addr, certificate); err != nil {
		log.Fatal(err)
	}
}

func run(addr string, certificate []string) error {
	io, err := sio.New(nil)
	if err != nil {
		return err
	}
	io.OnConnection(func(s *sio.Socket) {
		fmt.Println("connected:", s.ID(), "secure:", s.Handshake().Secure)
	})
	err = io.OnEvent("hey", func(name string, ack sio.Ack) error { return ack.Send("hey, " + name) })
	if err != nil {
		return err
	}

	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io) // the whole path: no http.StripPrefix
	mux.HandleFunc("/online", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, io.Clients()) })
	server := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	// The server's Shutdown waits for requests, and clients' polls wait for news. So the
	// guest has to go, with the WebSockets that the server no longer knows of.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ended <- errors.Join(io.Shutdown(limit), server.Shutdown(limit))
	}()

	if len(certificate) == 2 {
		err = server.ListenAndServeTLS(certificate[0], certificate[1])
	} else {
		err = server.ListenAndServe()
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, io.Close())
	}
	return <-ended
}
