package dev.nibble.data.batching;

import dev.nibble.data.Sample;
import dev.nibble.data.rows.Row;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.samples.SampleOutcome;

/**
 * A sample whose length is known and which is tokenised only when its batch is due.
 *
 * @param length its tokens, as counted when the data were scanned
 */
record PlannedSample(int length, Row row, SampleMaker samples) {
  Sample make() {
    if (samples.make(row) instanceof SampleOutcome.Kept kept && kept.sample().length() == length) {
      return kept.sample();
    }
    throw row.invalid(
        "the row changed while the data were in use. Leave the files alone during a run, and start again.");
  }
}
