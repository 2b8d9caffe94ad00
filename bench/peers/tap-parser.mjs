// SPDX-License-Identifier: GPL-2.0-or-later
// npm's tap-parser. `tap-parser.mjs speed FILE` only reads; `tap-parser.mjs
// results FILE...` prints what bench/peers/README describes.
import { createReadStream, readFileSync } from 'node:fs'
import { Parser } from 'tap-parser'

const [mode, ...files] = process.argv.slice(2)

// A subtest's own line is the first assertion behind it: no leaf.
function listen(parser) {
  let parent = false
  parser.on('child', child => {
    parent = true
    listen(child)
  })
  parser.on('assert', r => {
    if (parent) {
      parent = false
      return
    }
    const status = r.skip ? 'skip' : r.todo ? 'todo' : r.ok ? 'pass' : 'fail'
    if (mode === 'results')
      console.log(`${status}\t${r.name}`)
  })
}

function verdict(word) {
  console.log(`verdict\t${word}`)
}

if (mode === 'speed') {
  for (const file of files) {
    const parser = new Parser()
    listen(parser)
    createReadStream(file).pipe(parser)
  }
} else {
  for (const file of files) {
    console.log(`== ${file}`)
    try {
      const parser = new Parser(final => verdict(final.ok ? 'ok' : 'not ok'))
      listen(parser)
      parser.end(readFileSync(file))
    } catch (error) { // it may throw on what it does not know
      verdict(`threw ${error.name}`)
    }
  }
}
