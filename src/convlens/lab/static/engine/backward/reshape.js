export { add as reshape } from "./add.js"; // every value goes through: so does its gradient
