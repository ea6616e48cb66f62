package socketio_test

import (
	"fmt"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

func ExampleDecode() {
	p, err := socketio.Decode([]byte(`2/admin,12["greet",{"to":"you"}]`), nil, socketio.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	name, err := socketio.EventName(p.Args[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v in %s with id %d: %s(%s)\n", p.Type, p.Namespace, p.ID, name, p.Args[1])
	// Output: EVENT in /admin with id 12: greet({"to":"you"})
}

func ExampleDecode_invalid() {
	_, err := socketio.Decode([]byte(`2["greet"`), nil, socketio.Limits{})
	fmt.Println(err)
	// Output: socketio: invalid payload
}

func ExampleAppendHeader() {
	b := socketio.AppendHeader(nil, socketio.Event, "/admin", 12, true, 0)
	b = append(b, '[')
	b = socketio.AppendString(b, "greet")
	b = append(b, `,{"to":"you"}]`...)
	fmt.Printf("%s\n", b)
	// Output: 2/admin,12["greet",{"to":"you"}]
}

func ExampleAppendConnect() {
	fmt.Printf("%s\n", socketio.AppendConnect(nil, "/admin", "oSO0OpakMV_3jnilAAAA", ""))
	// Output: 0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}
}

func ExampleAppendConnectError() {
	fmt.Printf("%s\n", socketio.AppendConnectError(nil, "/", "Not authorized", []byte(`{"code":7}`)))
	// Output: 4{"message":"Not authorized","data":{"code":7}}
}

func ExampleAppendDisconnect() {
	fmt.Printf("%s\n", socketio.AppendDisconnect(nil, "/"))
	// Output: 1
}

func ExampleAppendPlaceholder() {
	b := socketio.AppendHeader(nil, socketio.BinaryEvent, "/", 0, false, 1)
	b = append(b, `["file",`...)
	b = socketio.AppendPlaceholder(b, 0)
	b = append(b, ']')
	fmt.Printf("%s\n", b)
	// Output: 51-["file",{"_placeholder":true,"num":0}]
}

func ExampleEventName() {
	for _, raw := range []string{`"greet"`, `"gr\u00fc\u00dfe"`, `12`} {
		name, err := socketio.EventName([]byte(raw))
		fmt.Printf("%s %v\n", name, err)
	}
	// Output:
	// greet <nil>
	// grüße <nil>
	// 12 <nil>
}

func ExampleWalkPlaceholders() {
	raw := []byte(`["file",{"_placeholder":true,"num":0},{"thumbnail":{"_placeholder":true,"num":1}}]`)
	err := socketio.WalkPlaceholders(raw, 2, func(start, end, num int) error {
		fmt.Printf("attachment %d for %s\n", num, raw[start:end])
		return nil
	})
	fmt.Println(err)
	// Output:
	// attachment 0 for {"_placeholder":true,"num":0}
	// attachment 1 for {"_placeholder":true,"num":1}
	// <nil>
}

func ExampleAssembler() {
	var a socketio.Assembler
	text := []byte(`51-["file",{"_placeholder":true,"num":0}]`)
	p, err := socketio.Decode(text, nil, socketio.Limits{})
	if err == nil {
		err = a.Start(text, p, 1_000_000)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := a.Add([]byte("content"))
	fmt.Println(done, err)
	p, attachments, err := a.Take(socketio.Limits{})
	fmt.Printf("%s with %s, %v\n", p.Data, attachments, err)
	// Output:
	// true <nil>
	// ["file",{"_placeholder":true,"num":0}] with [content], <nil>
}
