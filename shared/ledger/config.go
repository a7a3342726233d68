package ledger

import "time"

// ConfigVersion is a configuration that was in force.
type ConfigVersion struct {
	Hash string    `json:"hash"` // config.Config.Hash
	Text string    `json:"text"` // as it was read, comments and all
	At   time.Time `json:"at"`   // when it was read
}

// ConfigProblem is a configuration that could not be used.
type ConfigProblem struct {
	ID   string    `json:"id"`   // names the version, so that people are told once
	Text string    `json:"text"` // what is wrong with it
	At   time.Time `json:"at"`
}
