/** WordNet 3.0 as instruction data, and the tokenizer of the quickstart's base model. */
@NullMarked
package dev.nibble.examples.wordnet;

import org.jspecify.annotations.NullMarked;
