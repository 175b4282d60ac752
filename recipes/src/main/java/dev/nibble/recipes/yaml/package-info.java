/**
 * YAML as a tree in which every key and value knows its line and column. Jackson stays in here.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.recipes.yaml;

import org.jspecify.annotations.NullMarked;
