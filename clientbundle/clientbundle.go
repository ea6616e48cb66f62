// Package clientbundle embeds the browser client of Socket.IO, for builds inside a
// checkout of sio-gnet: its binary, its examples and its tests.
//
//	files, err := clientbundle.FS()
//	…
//	io, err := sio.New(&sio.Options{ClientFiles: files, ClientVersion: clientbundle.Version()})
//
// The files come from npm and are not in the repository: `make client` puts them
// into the folder files before a build. A module that requires sio-gnet gets this
// package without them, and has only [ErrAbsent] of it. There, have the client among
// your own files:
//
//	npm i socket.io-client
//	mkdir -p static
//	cp node_modules/socket.io-client/dist/socket.io.min.js* static/
//
// and embed it:
//
//	//go:embed static
//	var static embed.FS
//	…
//	client, err := fs.Sub(static, "static")
//	…
//	io, err := sio.New(&sio.Options{ClientFiles: client})
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

// ErrAbsent says that the program was built without the client's files, as it always
// is outside of a checkout of sio-gnet.
var ErrAbsent = errors.New("clientbundle: the browser client is not in this build: in a checkout of sio-gnet, run `make client` and build again; " +
	"in a module of your own, embed the files of npm's socket.io-client yourself, as the documentation of the package clientbundle says")

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
