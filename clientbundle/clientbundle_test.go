package clientbundle

import (
	"errors"
	"io/fs"
	"testing"
)

func TestFS(t *testing.T) {
	files, err := FS()
	if Version() == "" {
		if !errors.Is(err, ErrAbsent) {
			t.Fatalf("without the client: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"socket.io", "socket.io.min", "socket.io.esm.min", "socket.io.msgpack.min"} {
		for _, name := range []string{base + ".js", base + ".js.map"} {
			if info, err := fs.Stat(files, name); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
