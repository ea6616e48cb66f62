// Package clientbundle embeds the browser client of Socket.IO, for programs that
// serve it themselves. The files come from npm and are not part of the
// repository: `make client` puts them into files before a build.
//
//	files, err := clientbundle.FS()
//	…
//	io, err := sio.New(&sio.Options{ClientFiles: files, ClientVersion: clientbundle.Version()})
package clientbundle

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed all:files
var embedded embed.FS

// ErrAbsent says that the program was built without the client's files.
var ErrAbsent = errors.New("clientbundle: the browser client is not in this build; run `make client` and build again")

// FS returns the files, socket.io.min.js and its siblings, or [ErrAbsent].
func FS() (fs.FS, error) {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, fmt.Errorf("clientbundle: %w", err)
	}
	if Version() == "" {
		return nil, ErrAbsent
	}
	return files, nil
}

// Version returns the client's version, such as "4.8.4"; "" if it is absent.
func Version() string {
	v, err := embedded.ReadFile("files/VERSION")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(v))
}
