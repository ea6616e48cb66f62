package engineio_test

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/sio-gnet/sio-gnet/codec/engineio"
)

// A poll is answered with all that is queued. Only with binary data in it, and a
// client that understands that, is the payload a binary one.
func ExampleAppendPayloadV3() {
	queue := []engineio.Packet{
		{Type: engineio.Message, Data: []byte("€")},
		{Type: engineio.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
	}
	isBinary := func(p engineio.Packet) bool { return p.Binary }
	for _, base64Only := range []bool{true, false} {
		encode := engineio.AppendPayloadV3
		if !base64Only && slices.ContainsFunc(queue, isBinary) {
			encode = engineio.AppendBinaryPayloadV3
		}
		var body []byte
		for _, p := range queue {
			body = encode(body, p)
		}
		fmt.Printf("%q\n", body)
	}
	// Output:
	// "2:4€10:b4AQIDBA=="
	// "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04"
}

func ExampleAppendBinaryPayloadV3() {
	body := engineio.AppendBinaryPayloadV3(nil, engineio.Packet{Type: engineio.Message, Data: []byte("hello")})
	fmt.Printf("% x\n", body)
	// Output: 00 06 ff 34 68 65 6c 6c 6f
}

func ExampleNewPayloadReaderV3() {
	payload := engineio.NewPayloadReaderV3([]byte("6:4hello3:4😀6:b4AQID9:4"), 100)
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
	// message "😀"
	// message "\x01\x02\x03"
	// engineio: invalid length of a packet in a payload
}

func ExampleNewBinaryPayloadReaderV3() {
	payload := engineio.NewBinaryPayloadReaderV3([]byte("\x01\x03\xff\x04\x01\x02"), 100)
	p, err := payload.Next()
	fmt.Printf("%v %v %x %v\n", p.Type, p.Binary, p.Data, err)
	// Output: message true 0102 <nil>
}

func ExampleAppendPacketV3() {
	binary := engineio.Packet{Type: engineio.Message, Binary: true, Data: []byte{1, 2, 3}}
	fmt.Printf("%s\n", engineio.AppendPacketV3(nil, binary))
	// Output: b4AQID
}

func ExampleAppendBinaryPacketV3() {
	binary := engineio.Packet{Type: engineio.Message, Binary: true, Data: []byte{1, 2, 3}}
	fmt.Printf("% x\n", engineio.AppendBinaryPacketV3(nil, binary))
	// Output: 04 01 02 03
}

func ExampleDecodeBinaryV3() {
	p := engineio.DecodeBinaryV3([]byte{4, 1, 2, 3})
	fmt.Printf("%v %x\n", p.Type, p.Data)
	// Output: message 010203
}

func ExampleDecodeTextV3() {
	p, err := engineio.DecodeTextV3([]byte("b4AQID"))
	fmt.Printf("%v %v %x %v\n", p.Type, p.Binary, p.Data, err)
	// Output: message true 010203 <nil>
}

func ExampleAppendJSONP() {
	index := engineio.AppendJSONPIndex(nil, []byte("4"), 10)
	payload := engineio.AppendPayloadV3(nil, engineio.Packet{Type: engineio.Message, Data: []byte(`2["chat"]`)})
	fmt.Printf("%s\n", engineio.AppendJSONP(nil, index, payload))
	// Output: ___eio[4]("10:42[\"chat\"]");
}

func ExampleAppendJSONPIndex() {
	fmt.Printf("%s\n", engineio.AppendJSONPIndex(nil, []byte("12ab3"), 10))
	// Output: 123
}

func ExampleDecodeJSONPBody() {
	payload, ok := engineio.DecodeJSONPBody([]byte(`d=8%3A4hello%5Cn%21`))
	fmt.Printf("%q %v\n", payload, ok)
	// Output: "8:4hello\n!" true
}
