// Package notice tells people, through an SNS topic that their chat channel or
// mail box subscribes to.
//
// A notice is written in the schema of custom notifications of Amazon Q
// Developer in chat applications (formerly AWS Chatbot; administrator guide,
// "Custom notifications"), so that chat shows it as a message with a thread per
// incident. It carries no buttons: what to do next is text.
package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// api is the part of *sns.Client that this package uses.
type api interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Client publishes notices.
type Client struct{ api api }

// New returns a client that calls SNS through client.
func New(client api) *Client { return &Client{api: client} }

// Notice is what people are told.
type Notice struct {
	Title     string
	Text      string   // markdown, in the dialect of the chat
	NextSteps []string // what a reader can do now
	Thread    string   // notices of one thread stand together
	Target    string
	Incident  string
}

// message is the schema. Members that are empty are left out, because the
// schema allows them to be missing, not to be empty.
type message struct {
	Version  string   `json:"version"`
	Source   string   `json:"source"`
	Content  content  `json:"content"`
	Metadata metadata `json:"metadata"`
}

type content struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type metadata struct {
	ThreadID          string            `json:"threadId,omitempty"`
	Summary           string            `json:"summary,omitempty"`
	EventType         string            `json:"eventType,omitempty"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext,omitempty"`
}

// eventType and keyword let readers filter. Sent, must not change.
const (
	eventType = "pullback"
	keyword   = "pullback"
)

// maxText keeps a notice a message that somebody reads, and far from the
// 256 KB of SNS (API reference, "Publish").
const maxText = 4 << 10

// Publish sends a notice to a topic. Without a topic nobody is told, and
// nothing is done.
func (c *Client) Publish(ctx context.Context, topicARN string, n Notice) error {
	if topicARN == "" {
		return nil
	}
	body, err := json.Marshal(n.message())
	if err != nil {
		return fmt.Errorf("write notice %q: %w", n.Title, err)
	}
	in := &sns.PublishInput{TopicArn: &topicARN, Message: new(string(body))}
	if s := subject(n.Title); s != "" {
		in.Subject = &s
	}
	if _, err := c.api.Publish(ctx, in); err != nil {
		return fmt.Errorf("publish notice %q: %w", n.Title, err)
	}
	return nil
}

func (n Notice) message() message {
	m := message{
		Version: "1.0", Source: "custom",
		Content: content{
			TextType: "client-markdown", Title: n.Title, Description: cut(n.Text, maxText),
			NextSteps: n.NextSteps, Keywords: []string{keyword},
		},
		Metadata: metadata{ThreadID: n.Thread, Summary: n.Title, EventType: eventType, AdditionalContext: map[string]string{}},
	}
	if n.Target != "" {
		m.Metadata.RelatedResources = []string{n.Target}
		m.Metadata.AdditionalContext["target"] = n.Target
		m.Content.Keywords = append(m.Content.Keywords, n.Target)
	}
	if n.Incident != "" {
		m.Metadata.AdditionalContext["incident"] = n.Incident
	}
	return m
}

// maxSubject is SNS's: fewer than 100 characters (API reference, "Publish").
const maxSubject = 99

// subject returns the title as mail's subject line, which SNS wants in
// printable ASCII.
func subject(title string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, title)
	return strings.TrimSpace(cut(strings.Join(strings.Fields(ascii), " "), maxSubject))
}

// cut returns at most width bytes of s, whole characters only.
func cut(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return strings.ToValidUTF8(s[:width], "")
}
