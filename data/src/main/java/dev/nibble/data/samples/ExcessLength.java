package dev.nibble.data.samples;

/** Treatment of samples that are longer than the sequence length. */
public enum ExcessLength {
  /** The sample is left out and counted. */
  DROP,
  /** Its end is cut off and it is counted; left out when nothing supervised remains. */
  TRUNCATE,
  /** It is an error. */
  RAISE
}
