package sio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// arrayParser is a parser of a program's own. A packet is one JSON array: the type, the
// namespace, the id or null, and then the payload, or the arguments of an event or an
// acknowledgement. Binary data are base64, as encoding/json writes them.
type arrayParser struct{}

var errArrayPacket = errors.New("no packet of an array parser")

func (arrayParser) AppendValue(dst []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return append(dst, raw...), err
}

func (arrayParser) DecodeValue(raw []byte, v any) error { return json.Unmarshal(raw, v) }

// AppendJSON spares the way through Go values: what AppendValue writes is JSON.
func (arrayParser) AppendJSON(dst, raw []byte) ([]byte, error) { return append(dst, raw...), nil }

func (arrayParser) AppendPacket(dst []byte, p sio.Packet) (_ []byte, binary bool, err error) {
	dst = fmt.Appendf(dst, "[%d,%q", p.Type, p.Namespace)
	if p.HasID {
		dst = fmt.Appendf(dst, ",%d", p.ID)
	} else {
		dst = append(dst, ",null"...)
	}
	values := p.Args
	if p.Data != nil {
		values = [][]byte{p.Data}
	}
	for _, raw := range values {
		dst = append(append(dst, ','), raw...)
	}
	return append(dst, ']'), false, nil
}

func (arrayParser) DecodePacket(data []byte, binary bool, args [][]byte, lim sio.Limits) (p sio.Packet, err error) {
	lim = lim.WithDefaults()
	var parts []json.RawMessage
	if binary || depth(data) > lim.Depth || json.Unmarshal(data, &parts) != nil || len(parts) < 3 || len(parts)-3 > lim.Args {
		return p, errArrayPacket
	}
	var (
		namespace string
		id        *uint64
	)
	if err := errors.Join(json.Unmarshal(parts[0], &p.Type), json.Unmarshal(parts[1], &namespace), json.Unmarshal(parts[2], &id)); err != nil {
		return p, err
	}
	if p.Namespace = []byte(namespace); id != nil {
		p.ID, p.HasID = *id, true
	}
	switch p.Type {
	case socketio.Event, socketio.Ack:
		p.Args = args[:0]
		for _, raw := range parts[3:] {
			p.Args = append(p.Args, raw)
		}
	default:
		if len(parts) > 3 {
			p.Data = parts[3]
		}
	}
	return p, nil
}

// depth returns how deeply brackets are nested, without a look at what is in strings.
func depth(data []byte) (most int) {
	for at, quoted := 0, false; len(data) > 0; data = data[1:] {
		switch c := data[0]; {
		case c == '\\' && quoted && len(data) > 1:
			data = data[1:]
		case c == '"':
			quoted = !quoted
		case quoted:
		case bytes.IndexByte([]byte("[{"), c) >= 0:
			at++
			most = max(most, at)
		case bytes.IndexByte([]byte("]}"), c) >= 0:
			at--
		}
	}
	return most
}

// A program may have a form of packets of its own.
func ExampleParser() {
	io, err := sio.New(&sio.Options{Parser: arrayParser{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop(io)
	_ = io.OnEvent("add", func(a, b int, ack sio.Ack) error { return ack.Send(a + b) })

	client := siotest.Open(exampleTB{}, "http://"+start(io))
	defer client.Close()
	client.Send(`4[0,"/",null]`)
	fmt.Println(client.Next()[:len(`4[0,"/",null,{"sid":`)])
	client.Send(`4[2,"/",7,"add",1,2]`)
	fmt.Println(client.Next())
	// Output:
	// 4[0,"/",null,{"sid":
	// 4[3,"/",7,3]
}

// With MessagePack, binary data and times are what they are wherever they stand.
// A client in JavaScript has io(url, { parser: require("socket.io-msgpack-parser") }), or the bundle
// socket.io.msgpack.min.js.
func ExampleOptions_messagePack() {
	io, err := sio.New(&sio.Options{Parser: msgpack.Parser{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop(io)
	_ = io.OnEvent("photo", func(data []byte, ack sio.Ack) error {
		slices.Reverse(data)
		return ack.Send(data)
	})

	client := siotest.Open(exampleTB{}, "http://"+start(io))
	defer client.Close()
	client.SendBinary([]byte("\x82\xa4type\x00\xa3nsp\xa1/"))
	client.Next() // it is connected
	client.SendBinary([]byte("\x84\xa4type\x02\xa3nsp\xa1/\xa2id\x07\xa4data\x92\xa5photo\xc4\x03abc"))
	fmt.Printf("%q\n", client.Next())
	// Output:
	// "binary:\x84\xa4type\x03\xa4data\x91\xc4\x03cba\xa3nsp\xa1/\xa2id\a"
}

// The JSON library may be another one.
func ExampleJSON() {
	io, err := sio.New(&sio.Options{JSON: &sio.JSON{Marshal: json.Marshal, Unmarshal: json.Unmarshal}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop(io)
	_ = io.OnEvent("echo", func(text string, ack sio.Ack) error { return ack.Send(text) })
	talk(start(io), "", "", `421["echo","<b>"]`)
	// Output:
	// 431["\u003cb\u003e"]
}
