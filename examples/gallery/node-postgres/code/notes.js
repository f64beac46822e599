// The notes, in a table that is made when it is missing.
const { Pool } = require("pg");

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const table = pool.query("CREATE TABLE IF NOT EXISTS notes (id SERIAL PRIMARY KEY, text TEXT NOT NULL)");

exports.all = async () => {
  await table;
  return (await pool.query("SELECT text FROM notes ORDER BY id")).rows.map((row) => row.text);
};

exports.add = async (text) => {
  await table;
  await pool.query("INSERT INTO notes (text) VALUES ($1)", [text]);
};

exports.close = () => pool.end();
