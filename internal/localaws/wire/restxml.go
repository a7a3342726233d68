package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// node is an XML element as it was read.
type node struct {
	name     string
	text     string
	children []*node
}

// readXML parses a document into the tree that a type wants.
func (c *codec) readXML(b []byte, t reflect.Type) (any, error) {
	root, err := parseXML(b)
	if err != nil {
		return nil, fmt.Errorf("read XML: %w", err)
	}
	return c.shapeXML(root, t)
}

func parseXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b)) //nolint:gosec // tokens only, into a tree of bounded depth: nothing is unmarshaled
	top := &node{}
	open := []*node{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		at := open[len(open)-1]
		switch x := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, fmt.Errorf("nested deeper than %d", maxDepth)
			}
			n := &node{name: x.Name.Local}
			at.children = append(at.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.text += string(x)
		}
	}
	if len(top.children) != 1 {
		return nil, errors.New("want one root element")
	}
	return top.children[0], nil
}

func (c *codec) shapeXML(n *node, t reflect.Type) (any, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.shapeXMLStruct(n, t)
	case reflect.Bool:
		return strconv.ParseBool(n.text)
	case reflect.Int32, reflect.Int64, reflect.Int, reflect.Float64:
		return json.Number(n.text), nil
	case reflect.Map, reflect.Interface:
		return nil, fmt.Errorf("the local AWS cannot read a %s from XML", t)
	default:
		return n.text, nil
	}
}

func (c *codec) shapeXMLStruct(n *node, t reflect.Type) (any, error) {
	if typeName(t) == "time.Time" {
		return n.text, nil
	}
	out := map[string]any{}
	for _, f := range c.planOf(t).fields {
		item := itemName(t, f.name)
		for _, child := range n.children {
			if child.name != f.wire {
				continue
			}
			if err := c.shapeXMLMember(out, f, item, child); err != nil {
				return nil, fmt.Errorf("%s: %w", f.wire, err)
			}
		}
	}
	return out, nil
}

// shapeXMLMember adds one child element to a structure's tree.
func (c *codec) shapeXMLMember(out map[string]any, f member, item string, child *node) error {
	if f.typ.Kind() != reflect.Slice || f.typ.Elem().Kind() == reflect.Uint8 {
		v, err := c.shapeXML(child, f.typ)
		out[f.wire] = v
		return err
	}
	items := []*node{child}
	if item != "" {
		items = child.children
	}
	l, _ := out[f.wire].([]any)
	for _, n := range items {
		v, err := c.shapeXML(n, f.typ.Elem())
		if err != nil {
			return err
		}
		l = append(l, v)
	}
	out[f.wire] = l
	return nil
}

// writeXMLBody writes the members that are not elsewhere as the body.
func (q *request) writeXMLBody(a *reply, rv reflect.Value, elsewhere map[string]bool) error {
	except := make([]string, 0, len(elsewhere))
	for name := range elsewhere {
		except = append(except, name)
	}
	var members bytes.Buffer
	if err := q.service.codec.xmlMembers(&members, rv, except...); err != nil {
		return err
	}
	root := xmlRoot(q.operation.Name)
	if root == "" {
		if members.Len() > 0 {
			return fmt.Errorf("the local AWS does not know the root element of %s", q.operation.Name)
		}
		return nil
	}
	if root == "LocationConstraint" { // the one answer whose root is the member itself
		members.Reset()
		_ = xml.EscapeText(&members, []byte(rv.FieldByName(root).String())) // a Buffer does not fail
	}
	a.header.Set("Content-Type", "application/xml")
	a.body = xmlDocument(root, members.Bytes())
	return nil
}

// writeXMLDocument writes the one member that is the whole body.
func (q *request) writeXMLDocument(a *reply, f reflect.Value) error {
	a.header.Set("Content-Type", "application/xml")
	var members bytes.Buffer
	if err := q.service.codec.xmlMembers(&members, f); err != nil {
		return err
	}
	a.body = xmlDocument(f.Type().Elem().Name(), members.Bytes())
	return nil
}

// xmlDocument is a document of S3.
func xmlDocument(root string, members []byte) []byte {
	b := bytes.NewBufferString(xml.Header)
	fmt.Fprintf(b, "<%s xmlns=%q>%s</%s>", root, "http://s3.amazonaws.com/doc/2006-03-01/", members, root)
	return b.Bytes()
}
