package dev.nibble.examples.wordnet;

import java.util.List;

/**
 * A set of synonyms with one meaning.
 *
 * @param id eight digits of file offset, a dash and the type: n, v, a, s (satellite adjective) or r
 *     (adverb)
 * @param category lexicographer category, one of {@link Categories#NAMES}
 * @param lemmas the synonyms, words separated by spaces
 * @param definition the gloss up to its first example sentence
 * @param examples the gloss's quoted sentences
 */
record Synset(
    String id, String category, List<String> lemmas, String definition, List<String> examples) {

  Synset {
    lemmas = List.copyOf(lemmas);
    examples = List.copyOf(examples);
  }
}
