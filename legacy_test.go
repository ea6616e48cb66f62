package sio_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func withEIO3(o *sio.Options) { o.AllowEIO3 = true }

// TestLegacyConnect shows S5.2 to S5.5: how clients of Socket.IO 2 join.
func TestLegacyConnect(t *testing.T) {
	f := serve(t, withEIO3)
	admin := f.Of("/adm")
	for _, ns := range []*sio.Namespace{f.Of("/"), admin} {
		if err := ns.OnEvent("auth", func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Handshake().Auth, s.ID()) }); err != nil {
			t.Fatal(err)
		}
	}
	f.Of("/mw").Use(func(s *sio.Socket) error {
		var auth struct{ Data string }
		if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil {
			return err
		}
		switch auth.Data {
		case "object":
			return &sio.ConnectError{Message: "bad", Data: map[string]int{"x": 1}}
		case "zero":
			return &sio.ConnectError{Message: "bad", Data: 0}
		}
		return &sio.ConnectError{Message: "bad"}
	})
	c := f.dial(t, siotest.Query("EIO", "3"))
	c.Want("40")
	c.Send(`420["auth"]`)
	c.Want(`430[{},"` + c.SID() + `"]`)
	c.Send("40/adm?token=x&b=%26&token=y,")
	c.Want("40/adm,")
	c.Send(`42/adm?token=y,1["auth"]`)
	c.Want(`43/adm,1[{"b":"&","token":"y"},"/adm#` + c.SID() + `"]`)
	if admin.Socket("/adm#"+c.SID()) == nil {
		t.Error("the socket is not known by its id")
	}
	if err := f.To(c.SID()).Emit("own", 1); err != nil {
		t.Fatal(err)
	}
	c.Want(`42["own",1]`)
	c.Send("40/mw")
	c.Want(`44/mw,"bad"`)
	c.Send("40/mw?Data=object")
	c.Want(`44/mw,{"x":1}`)
	c.Send("40/mw?Data=zero")
	c.Want(`44/mw,"bad"`)
	c.Send("40/nope")
	c.Want(`44/nope,{"message":"Invalid namespace"}`)
	c.Send("41/adm?token=x,")
	eventually(t, "leaving", func() bool { return admin.SocketCount() == 0 })
	c.Send("40") // a second CONNECT to "/"
	if _, code := c.WantClosed(); code != 1005 {
		t.Errorf("closed with %d", code)
	}
}

// A middleware may refuse even "/", and the connection stays.
func TestLegacyRefusedRoot(t *testing.T) {
	f := serve(t, withEIO3)
	f.Use(func(*sio.Socket) error { return &sio.ConnectError{Message: "no", Data: []int{1}} })
	c := f.dial(t, siotest.Query("EIO", "3"))
	c.Want(`44[1]`)
	c.Send("40")
	c.Want(`44[1]`)
}

// TestLegacyIsOff shows S5.1.
func TestLegacyIsOff(t *testing.T) {
	f := serve(t)
	res, err := http.Get("http://" + f.addr + "/socket.io/?EIO=3&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if want := `{"code":5,"message":"Unsupported protocol version"}`; err != nil || res.StatusCode != 400 || string(body) != want {
		t.Errorf("got %d %s, %v", res.StatusCode, body, err)
	}
}
