package e2e

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
)

// TestNodeMessagePackBytes gives packets of socket.io-msgpack-parser to ours, encodes them again, and
// gives those to the package.
func TestNodeMessagePackBytes(t *testing.T) {
	node := nodeTool(t)
	command := exec.CommandContext(t.Context(), node, "msgpack-corpus.mjs")
	command.Dir = nodeClients
	corpus, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(corpus))
	for lines.Buffer(nil, 64<<20); lines.Scan(); {
		wire, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		p, err := msgpack.Parser{}.DecodePacket(wire, true, nil, sio.Limits{})
		if err != nil {
			t.Fatalf("%x: %v", wire, err)
		}
		fmt.Fprintf(&answers, "%x %x\n", encodePacket(t, p), encodePacket(t, decodeValues(t, p)))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "answers.txt")
	if err := os.WriteFile(file, answers.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	runChecks(t, nodeClients, node, "msgpack-corpus.mjs", "--answers", file)
}

func encodePacket(t *testing.T, p sio.Packet) []byte {
	t.Helper()
	wire, binary, err := msgpack.Parser{}.AppendPacket(nil, p)
	if err != nil || !binary {
		t.Fatal(binary, err)
	}
	return wire
}

// decodeValues decodes the values of a packet, and encodes what they are in Go.
func decodeValues(t *testing.T, p sio.Packet) sio.Packet {
	t.Helper()
	again := func(raw []byte) []byte {
		if raw == nil {
			return nil
		}
		var value any
		if err := (msgpack.Parser{}).DecodeValue(raw, &value); err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		encoded, err := msgpack.Parser{}.AppendValue(nil, value)
		if err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		return encoded
	}
	p.Data = again(p.Data)
	args := make([][]byte, len(p.Args))
	for i, raw := range p.Args {
		args[i] = again(raw)
	}
	p.Args = args
	return p
}
