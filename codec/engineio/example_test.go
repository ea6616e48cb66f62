package engineio_test

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

func ExampleAppendPacket() {
	text := engineio.Packet{Type: engineio.Message, Data: []byte("hello")}
	binary := engineio.Packet{Type: engineio.Message, Binary: true, Data: []byte{1, 2, 3}}
	fmt.Printf("%s\n", engineio.AppendPacket(nil, text))
	fmt.Printf("%s\n", engineio.AppendPacket(nil, binary))
	// Output:
	// 4hello
	// bAQID
}

func ExampleDecodeText() {
	p, err := engineio.DecodeText([]byte("2probe"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v %s\n", p.Type, p.Data)
	// Output: ping probe
}

func ExampleDecodeBinary() {
	p := engineio.DecodeBinary([]byte{1, 2, 3})
	fmt.Printf("%v %v %x\n", p.Type, p.Binary, p.Data)
	// Output: message true 010203
}

func ExamplePayloadReader() {
	payload := engineio.NewPayloadReader([]byte("4hello\x1ebAQID\x1e9"), 100)
	for {
		p, err := payload.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %q\n", p.Type, p.Data)
	}
	// Output:
	// message "hello"
	// message "\x01\x02\x03"
	// engineio: unknown packet type
}

func ExampleAppendHandshake() {
	open := engineio.AppendHandshake([]byte{byte(engineio.Open)}, engineio.Handshake{
		SID:          "lv_VI97HAXpY6yYWAAAC",
		Upgrades:     []string{"websocket"},
		PingInterval: 25 * time.Second,
		PingTimeout:  20 * time.Second,
		MaxPayload:   1_000_000,
	})
	fmt.Printf("%s\n", open)
	// Output: 0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
}
