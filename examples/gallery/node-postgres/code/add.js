const notes = require("./notes");

const text = process.argv.slice(2).join(" ");
notes.add(text).then(() => console.log(`added: ${text}`)).finally(notes.close);
